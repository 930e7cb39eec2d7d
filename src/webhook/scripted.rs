//! The double: an endpoint that answers what it was told to, in order, and remembers what it was sent.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::post::{Deliver, Delivered, Post};

/// Answers from a script; when the script is used up, with the last answer given at its making.
#[derive(Debug)]
pub struct ScriptedEndpoint {
    script: Mutex<VecDeque<Delivered>>,
    afterwards: Delivered,
    posts: Mutex<Vec<Post>>,
}

impl ScriptedEndpoint {
    /// Answers `script` in order, then `afterwards` for ever.
    #[must_use]
    pub fn new(script: impl IntoIterator<Item = Delivered>, afterwards: Delivered) -> Self {
        Self { script: Mutex::new(script.into_iter().collect()), afterwards, posts: Mutex::default() }
    }

    /// Acknowledges everything with 204.
    #[must_use]
    pub fn willing() -> Self {
        Self::new([], Delivered::Acknowledged { status: 204 })
    }

    /// Everything it was sent so far, in order.
    #[must_use]
    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().clone()
    }
}

impl Deliver for ScriptedEndpoint {
    async fn deliver(&self, post: Post) -> Delivered {
        self.posts.lock().push(post);
        self.script.lock().pop_front().unwrap_or_else(|| self.afterwards.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DeliveryId, Secret, Secrets};
    use super::*;

    #[tokio::test]
    async fn it_follows_its_script_and_remembers() {
        let endpoint =
            ScriptedEndpoint::new([Delivered::TimedOut, Delivered::Gone], Delivered::Acknowledged { status: 200 });
        let secret = Secret::from_random(&[1; 32]).expect("32 bytes");
        let post = Post {
            url: "https://hooks.example/a?token=hidden".parse().expect("a url"),
            id: DeliveryId::new("msg_1").expect("an id"),
            timestamp_s: 1,
            body: "{}".into(),
            secrets: Secrets::new(vec![secret]).expect("one"),
        };
        let mut answers = Vec::new();
        for _ in 0..3 {
            answers.push(endpoint.deliver(post.clone()).await);
        }
        assert_eq!(answers, [Delivered::TimedOut, Delivered::Gone, Delivered::Acknowledged { status: 200 }]);
        assert_eq!(endpoint.posts().len(), 3);
        assert!(!format!("{:?}", endpoint.posts()).contains("hidden"), "debug output shows a token");
    }
}
