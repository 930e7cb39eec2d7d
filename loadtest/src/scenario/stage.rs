//! Target, simulator and sinks of one round: all new, all on loopback, all gone afterwards.

use super::file::{Refusal, Scenario, TenantSpec};
use super::run::{Options, ScenarioError};
use crate::graph::{Faults, Simulator, SimulatorConfig};
use crate::house::{
    APP_SECRET, CALLBACKS, Endpoint, Folder, Kind, Programs, SIGNING, Session, Site, Target, Tenant, declare, free_addr,
};
use crate::proc::look;
use crate::sink::{Sink, SinkConfig};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Requests the simulator keeps: of 1.5 million messages, with as many again refused or repeated.
const JOURNAL: usize = 4_000_000;

/// Everything that stands while a round lasts. The target goes first when it is taken down, its folder last.
pub(super) struct Stage {
    pub target: Target,
    pub simulator: Simulator,
    pub sinks: BTreeMap<String, Sink>,
    /// Every tenant, copies apart.
    pub members: Vec<Member>,
    /// How long the target took until it was ready, in an empty folder.
    pub ready_s: f64,
    /// Its memory then, before anything was declared.
    pub rss_ready_bytes: Result<u64, String>,
    _folder: Folder,
}

/// A tenant as it is declared, and the key it calls with.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The name in the scenario, the same for all copies.
    pub spec: String,
    pub tenant: Tenant,
    pub key: String,
}

impl Stage {
    pub(super) async fn set(scenario: &Scenario, options: &Options) -> Result<Self, ScenarioError> {
        let addr = free_addr()?;
        let folder = Folder::make(&options.folder, addr.port())?;
        let sinks = open_sinks(scenario).await?;
        let simulator = open_simulator(scenario, addr).await?;
        let mut members = members(scenario, &sinks);
        let programs = Programs { waybill: options.waybill.clone(), loadtest: options.loadtest.clone() };
        let sessions = members.iter().flat_map(|member| &member.tenant.sessions);
        let site = Site {
            addr,
            folder: folder.path(),
            graph: simulator.base_url(),
            settings: &scenario.waybill,
            linger_us: 500,
            senders: sessions.map(|it| (it.name.clone(), it.phone_number_id.clone())).collect(),
            customers: sinks.values().map(|sink| sink.addr().port()).collect(),
            webhook: sinks.values().next().map(Sink::url),
        };
        let (target, ready) = Target::start(scenario.target, &programs, &site).await?;
        let rss_ready_bytes = look(target.pid()).map(|look| look.rss_bytes).map_err(|why| why.to_string());
        let tenants: Vec<Tenant> = members.iter().map(|member| member.tenant.clone()).collect();
        let mut keys = match scenario.target {
            Kind::Waybill => declare(&target, &tenants).await?,
            Kind::Plain | Kind::Synced => tenants.iter().map(|it| (it.name.clone(), "key".to_owned())).collect(),
        };
        for member in &mut members {
            member.key = keys.remove(&member.tenant.name).unwrap_or_default();
        }
        let ready_s = ready.as_secs_f64();
        Ok(Self { target, simulator, sinks, members, ready_s, rss_ready_bytes, _folder: folder })
    }

    /// The copies of a tenant.
    pub(super) fn copies<'a>(&'a self, spec: &'a str) -> impl Iterator<Item = &'a Member> {
        self.members.iter().filter(move |member| member.spec == spec)
    }

    /// Faults with the numbers that are to be refused.
    pub(super) fn refusing(&self, mut faults: Faults, refusals: &[Refusal]) -> Faults {
        for refusal in refusals {
            for member in self.copies(&refusal.tenant) {
                let some = member.tenant.sessions.iter().take(refusal.sessions.unwrap_or(usize::MAX));
                let numbers = some.map(|session| (session.phone_number_id.clone(), refusal.code));
                faults.phone_number_overrides.extend(numbers);
            }
        }
        faults
    }
}

async fn open_sinks(scenario: &Scenario) -> Result<BTreeMap<String, Sink>, ScenarioError> {
    let mut sinks = BTreeMap::new();
    for spec in &scenario.sinks {
        let secrets = vec![SIGNING.to_owned()];
        let config = SinkConfig { secrets, behaviour: spec.behaviour.clone(), ..SinkConfig::default() };
        let sink = Sink::start(config).await.map_err(|why| ScenarioError::Street(why.to_string()))?;
        sinks.insert(spec.name.clone(), sink);
    }
    Ok(sinks)
}

async fn open_simulator(scenario: &Scenario, target: SocketAddr) -> Result<Simulator, ScenarioError> {
    let base = scenario.simulator.clone();
    let mut callback = base.callback;
    // A forwarder without a customer takes no callbacks.
    let taken = scenario.target == Kind::Waybill || !scenario.sinks.is_empty();
    callback.url = taken.then(|| format!("http://{target}{CALLBACKS}"));
    callback.app_secret = APP_SECRET.to_owned();
    let addr = SimulatorConfig::default().addr;
    let config = SimulatorConfig { addr, callback, journal_capacity: JOURNAL, ..base };
    Simulator::start(config).await.map_err(|why| ScenarioError::Street(why.to_string()))
}

fn members(scenario: &Scenario, sinks: &BTreeMap<String, Sink>) -> Vec<Member> {
    let mut numbers = 0;
    let mut members = Vec::new();
    for spec in &scenario.tenants {
        for copy in 0..spec.copies {
            let name = if spec.copies == 1 { spec.name.clone() } else { format!("{}{copy}", spec.name) };
            let tenant = tenant(spec, name, sinks, &mut numbers);
            members.push(Member { spec: spec.name.clone(), tenant, key: String::new() });
        }
    }
    members
}

fn tenant(spec: &TenantSpec, name: String, sinks: &BTreeMap<String, Sink>, numbers: &mut u64) -> Tenant {
    let sessions = (0..spec.sessions).map(|n| {
        *numbers += 1;
        Session {
            name: format!("{name}-{n}"),
            phone_number_id: format!("900100{numbers:09}"),
            per_second: spec.session_per_second,
            burst: spec.session_burst,
        }
    });
    let sessions = sessions.collect();
    let sink = spec.sink.as_ref().and_then(|name| sinks.get(name));
    let endpoint = sink.map(|sink| Endpoint { url: sink.url(), events: spec.events.clone() });
    Tenant {
        name,
        per_second: spec.per_second,
        burst: spec.burst,
        sessions,
        endpoint,
        test: spec.test,
        portfolio_people: spec.portfolio_people,
    }
}
