//! Prefixes of the log, folded by the real functions, each kept once.
//!
//! Two logs whose rows are the same up to the names of positions, that hold the same events and have told the same
//! notifications, have the same future; they share one prefix, which keeps one of the logs as its example. The scenario
//! of claims alone runs a second time with every log apart ([`Fold::new`], `apart`), so that this sharing is itself
//! looked at.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use waybill::domain::message::State;
use waybill::domain::notification::NotificationKind;
use waybill::domain::projection::{self, Append, Applied, At, Note};
use waybill::domain::record::Position;
use waybill::domain::row::{Row, RowId, Rows};

use super::mutation::{self, Mutation};
use super::prefix::{Prefix, put, short, view};
use super::symbol::{Alphabet, MESSAGES, PARTITION, Sym, SymId, message_number};

/// The number of a prefix.
pub type PrefixId = u32;

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub rule: &'static str,
    /// How it shows.
    pub what: String,
}

impl Violation {
    /// Says what is wrong.
    pub fn new(rule: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { rule, what }
    }
}

/// What reading one event brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The longer prefix.
    pub to: PrefixId,
    /// Messages whose intents were judged valid, one bit each.
    pub valid: u8,
    /// A claim that counts.
    pub claimed: bool,
    /// A life that counts.
    pub started: bool,
}

/// All prefixes met so far.
pub struct Fold {
    /// The names in use.
    pub alphabet: Alphabet,
    /// Copies of events that were applied again to see that nothing changes.
    pub copies: u64,
    /// Which rule is missing.
    pub mutation: Mutation,
    apart: bool,
    prefixes: Vec<Prefix>,
    known: HashMap<[u8; 16], PrefixId>,
    steps: HashMap<(PrefixId, SymId), Step>,
}

struct Ran {
    changed: Vec<(RowId, Row)>,
    applied: Applied,
}

impl Ran {
    fn valid(&self) -> u8 {
        let intents = self.applied.notes.iter().filter_map(|note| match note {
            Note::Intents { judged, .. } => Some(judged),
            _ => None,
        });
        let valid = intents.flatten().filter(|(_, verdict)| verdict.is_ok());
        valid.fold(0, |mask, (of, _)| mask | 1 << message_number(of.message))
    }
}

impl Fold {
    /// The empty log. `apart` keeps every log for itself.
    pub fn new(mutation: Mutation, apart: bool) -> Self {
        let mut fold = Self {
            alphabet: Alphabet::default(),
            copies: 0,
            mutation,
            apart,
            prefixes: Vec::new(),
            known: HashMap::new(),
            steps: HashMap::new(),
        };
        fold.prefixes.push(Prefix::empty());
        fold
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        self.prefixes.len()
    }

    /// A prefix met before.
    pub fn prefix(&self, id: PrefixId) -> &Prefix {
        &self.prefixes[id as usize]
    }

    /// Reads one event on.
    pub fn step(&mut self, from: PrefixId, number: SymId) -> Result<Step, Violation> {
        if let Some(step) = self.steps.get(&(from, number)) {
            return Ok(*step);
        }
        let ran = self.run(self.prefix(from), number);
        let next = self.grown(from, number, &ran);
        let before = self.prefix(from);
        let mut step = Step {
            to: 0,
            valid: ran.valid(),
            claimed: has(&ran, |note| matches!(note, Note::Claimed { .. })),
            started: has(&ran, |note| matches!(note, Note::SessionStarted { .. })),
        };
        if self.mutation == Mutation::None {
            self.compare(before, &next, number, step.valid)?;
        }
        let digest = self.digest(&next);
        step.to = if let Some(known) = self.known.get(&digest) {
            *known
        } else {
            if self.mutation == Mutation::None {
                self.copies += self.apply_copies(&next)?;
            }
            let id = PrefixId::try_from(self.prefixes.len()).expect("fits");
            self.prefixes.push(next);
            self.known.insert(digest, id);
            id
        };
        self.steps.insert((from, number), step);
        Ok(step)
    }

    /// Applies an event behind a prefix: rows that were written come back, changed or not.
    fn run(&self, prefix: &Prefix, number: SymId) -> Ran {
        let (header, event) = self.alphabet.event(number, |name| prefix.place(name));
        let at = At { partition: PARTITION, position: Position(prefix.log.len() as u64), header: &header };
        let mut rows = Rows::default();
        loop {
            let wanted = projection::needs(at, &event, &rows);
            if wanted.is_empty() {
                break;
            }
            for id in wanted {
                rows.load(id, prefix.row(&id).cloned());
            }
        }
        let applied = mutation::apply(self.mutation, at, &event, &mut rows);
        let changed = rows.take_changed().into_iter();
        let changed = changed.filter_map(|id| Some((id, rows.get(&id)?.clone())));
        Ran { changed: changed.collect(), applied }
    }

    fn grown(&self, from: PrefixId, number: SymId, ran: &Ran) -> Prefix {
        let before = self.prefix(from);
        let position = Position(before.log.len() as u64);
        let mut log = before.log.clone();
        log.push(number);
        let mut places = before.places.clone();
        let named = |note: &Note| matches!(note, Note::Claimed { .. } | Note::SessionStarted { .. });
        if has(ran, named) {
            places.retain(|(name, _)| *name != number);
            places.push((number, position));
        }
        let mut reading = before.reading;
        reading.take(number, &self.alphabet, !before.holds(number));
        let mut told = before.told.clone();
        let mut listed = before.view.messages.map(|view| view.is_some_and(|view| view.listed));
        for append in &ran.applied.appends {
            let Append::Feed { row, .. } = append else {
                continue;
            };
            if !told.contains(&row.id) {
                told.push(row.id);
            }
            if let (NotificationKind::Unknown | NotificationKind::Duplicated, Some(message)) = (row.kind, row.message) {
                listed[message_number(message)] = true;
            }
        }
        told.sort_unstable();
        let mut prefix = Prefix { log, rows: before.rows.clone(), places, told, view: before.view, reading };
        for (id, row) in &ran.changed {
            put(&mut prefix, *id, row);
        }
        prefix.view = view(&prefix.rows, &|position| prefix.name_at(position), listed);
        prefix
    }

    /// The real functions against the second reading, and what must never be undone.
    fn compare(&self, before: &Prefix, after: &Prefix, number: SymId, valid: u8) -> Result<(), Violation> {
        let mut reading = before.reading;
        let should = reading.take(number, &self.alphabet, !before.holds(number));
        if should != valid {
            let what = format!("judged valid {valid:b}, the rules say {should:b}");
            return Err(Violation::new("validity", what));
        }
        for message in 0..MESSAGES {
            let (old, new) = (before.view.messages[message], after.view.messages[message]);
            let Some(new) = new else { continue };
            let story = after.reading.messages[message];
            if !story.agrees(new.state) {
                let what = format!("the row says {:?}, the facts are {story:?}", new.state);
                return Err(Violation::new("state", what));
            }
            let settled = |state: State| state.is_settled() && state != State::Withdrawn;
            let provider = story.confirmed != 0 || story.undelivered;
            // The events that begin anew what was over here.
            let again = matches!(
                self.alphabet.name(number),
                Sym::Requeued { message: of, .. } | Sym::MovedBack { message: of } if usize::from(of) == message
            );
            let old = old.map(|old| old.state).filter(|old| settled(*old) && !again);
            if old.is_some_and(|old| old != new.state && !provider) {
                let what = format!("it was {old:?}, and now {:?}", new.state);
                return Err(Violation::new("settled stays settled", what));
            }
            if old.is_some() && !settled(new.state) {
                let what = format!("it was {old:?}, and now {:?}", new.state);
                return Err(Violation::new("settled stays settled", what));
            }
            let row = after.message(u8::try_from(message).expect("small"));
            let confirmed = u16::try_from(story.confirmed.count_ones()).expect("small");
            let counted = row.map_or(0, |row| row.duplicates);
            if !story.undelivered && story.is_accepted() && story.round == 0 && counted != confirmed.saturating_sub(1) {
                let what = format!("{confirmed} attempts confirmed, {counted} counted as duplicates");
                return Err(Violation::new("confirmed duplicates are counted", what));
            }
        }
        Ok(())
    }

    /// Every event of the log once more, at the end: no row, no notification, no effect.
    fn apply_copies(&self, prefix: &Prefix) -> Result<u64, Violation> {
        let mut names = prefix.log.clone();
        names.sort_unstable();
        names.dedup();
        for number in &names {
            let ran = self.run(prefix, *number);
            let different = ran.changed.iter().find(|(id, row)| prefix.row(id) != Some(row));
            let what = match different {
                Some((id, _)) => format!("changes {id:?}"),
                None if !ran.applied.appends.is_empty() => format!("{:?}", ran.applied.appends),
                None if ran.valid() != 0 => "is judged valid".to_owned(),
                None => continue,
            };
            let name = self.alphabet.name(*number);
            let what = format!("a copy of {name:?} at the end of {:?} {what}", self.names(prefix));
            return Err(Violation::new("twice is once", what));
        }
        Ok(names.len() as u64)
    }

    fn names(&self, prefix: &Prefix) -> Vec<Sym> {
        prefix.log.iter().map(|number| self.alphabet.name(*number)).collect()
    }

    fn digest(&self, prefix: &Prefix) -> [u8; 16] {
        let mut hash = Sha256::new();
        for kept in &prefix.rows {
            hash.update(kept.digest);
        }
        let mut names = prefix.log.clone();
        if !self.apart {
            names.sort_unstable();
            names.dedup();
        }
        for name in names {
            hash.update(name.to_be_bytes());
        }
        for id in &prefix.told {
            hash.update(id.0);
        }
        hash.update(format!("{:?}", prefix.reading));
        short(hash)
    }
}

fn has(ran: &Ran, is: impl Fn(&Note) -> bool) -> bool {
    ran.applied.notes.iter().any(is)
}
