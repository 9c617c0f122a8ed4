//! Look-ups gathered: what is asked for while one statement is under way is answered by the next.
//!
//! A statement costs a round trip of tens of microseconds, whatever it looks up. Every request must
//! look its session and its register up anew, since another server may have changed them a moment
//! ago; under load, one statement does so for all who ask at that moment. Each is answered by a
//! statement that began after they asked.
use crate::error::{Error, Result};
use futures_util::future::BoxFuture;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::oneshot;

type Read<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>>> + Send + Sync;
type Answer<V> = std::result::Result<Option<V>, String>;

/// Looks values up by their keys, many by one reading.
pub struct Gather<K, V> {
    shared: Arc<Shared<K, V>>,
    gathers: bool,
}

struct Shared<K, V> {
    read: Box<Read<K, V>>,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    waiting: HashMap<K, Vec<oneshot::Sender<Answer<V>>>>,
    under_way: bool,
}

impl<K, V> Gather<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Look-ups by `read`, which is given distinct keys and answers those that are there.
    pub fn new(
        read: impl Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>>> + Send + Sync + 'static,
    ) -> Self {
        let state = State {
            waiting: HashMap::new(),
            under_way: false,
        };
        Self {
            shared: Arc::new(Shared {
                read: Box::new(read),
                state: Mutex::new(state),
            }),
            gathers: true,
        }
    }

    /// The same; where `gathers` is false each key is read by itself, at once: what costs no round
    /// trip gains nothing by waiting.
    #[must_use]
    pub fn gathering(self, gathers: bool) -> Self {
        Self { gathers, ..self }
    }

    /// The value of a key as of now, if there is one.
    ///
    /// # Errors
    /// When the reading failed.
    pub async fn get(&self, key: K) -> Result<Option<V>> {
        if !self.gathers {
            let mut found = (self.shared.read)(vec![key.clone()]).await?;
            return Ok(found.remove(&key));
        }
        let (tell, told) = oneshot::channel();
        let begins = {
            let mut state = self.shared.state();
            state.waiting.entry(key).or_default().push(tell);
            !std::mem::replace(&mut state.under_way, true)
        };
        if begins {
            let shared = self.shared.clone();
            tokio::spawn(async move { shared.work().await });
        }
        match told.await {
            Ok(answer) => answer.map_err(Error::Internal),
            Err(_) => Err(Error::unexpected("a look-up that was given up")),
        }
    }
}

impl<K, V> Shared<K, V>
where
    K: Eq + Hash + Clone,
    V: Clone,
{
    fn state(&self) -> std::sync::MutexGuard<'_, State<K, V>> {
        // Nothing panics while it is held; and a panic elsewhere leaves nothing half-done in it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads for all who wait, again and again until nobody does.
    async fn work(&self) {
        let mut rest = Rest(self, true);
        loop {
            let mut waiting = {
                let mut state = self.state();
                if state.waiting.is_empty() {
                    state.under_way = false;
                    rest.1 = false;
                    return;
                }
                std::mem::take(&mut state.waiting)
            };
            let answers = (self.read)(waiting.keys().cloned().collect()).await;
            for (key, askers) in waiting.drain() {
                let answer: Answer<V> = match &answers {
                    Ok(found) => Ok(found.get(&key).cloned()),
                    Err(Error::Internal(cause)) => Err(cause.clone()),
                    Err(other) => Err(other.to_string()),
                };
                for asker in askers {
                    // Who has gone away meanwhile needs no answer.
                    let _ = asker.send(answer.clone());
                }
            }
        }
    }
}

/// After a reading that panicked, the next who asks begins anew; who waited is told by the drop.
struct Rest<'a, K: Eq + Hash + Clone, V: Clone>(&'a Shared<K, V>, bool);

impl<K: Eq + Hash + Clone, V: Clone> Drop for Rest<'_, K, V> {
    fn drop(&mut self) {
        if self.1 {
            let mut state = self.0.state();
            state.waiting.clear();
            state.under_way = false;
        }
    }
}
