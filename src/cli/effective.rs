//! Waiting until an operator's word is effective everywhere: the server itself waits for some seconds only.

use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::failure::Failure;

/// How often it is asked whether it is effective by now.
const LOOK: Duration = Duration::from_millis(500);

/// Longest wait: a day.
const MAX: u64 = 86_400;

/// How long.
#[derive(Debug, Clone, Copy, Args)]
pub struct Wait {
    /// How long to wait until it is effective, in seconds.
    #[arg(
        long = "wait",
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(0..=MAX)
    )]
    seconds: u64,
}

impl Wait {
    /// Asks on until an answer says `effective`. The last answer, whatever it says.
    ///
    /// # Errors
    /// As the question.
    pub async fn until_effective(
        self,
        mut answer: Value,
        ask: impl AsyncFn(Value) -> Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        let looks = Duration::from_secs(self.seconds).as_millis() / LOOK.as_millis();
        for _ in 0..looks {
            if answer["effective"] == true {
                break;
            }
            tokio::time::sleep(LOOK).await;
            answer = ask(answer).await?;
        }
        Ok(answer)
    }
}
