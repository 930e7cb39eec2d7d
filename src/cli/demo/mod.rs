//! demo
use clap::Args;
/// Show
#[derive(Debug, Args)]
pub struct Demo {}
impl Demo {
    /// run
    pub async fn run(
        self,
        _c: &super::context::Context,
        _h: &dyn super::host::Host,
    ) -> Result<(), super::failure::Failure> {
        Ok(())
    }
}
