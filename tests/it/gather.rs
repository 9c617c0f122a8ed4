//! Look-ups of one moment are answered by one reading, each by one that began after it was asked.
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Semaphore;
use tuantibu::{error::Error, gather::Gather};

/// A reading that waits for a permit and answers the even keys by the number of the reading.
fn gather(gate: &Arc<Semaphore>, read: &Arc<Mutex<Vec<Vec<u32>>>>) -> Arc<Gather<u32, usize>> {
    let (gate, read) = (gate.clone(), read.clone());
    Arc::new(Gather::new(move |mut keys: Vec<u32>| {
        let (gate, read) = (gate.clone(), read.clone());
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            keys.sort_unstable();
            let number = {
                let mut read = read.lock().unwrap();
                read.push(keys.clone());
                read.len()
            };
            let even = keys.into_iter().filter(|key| key % 2 == 0);
            Ok(even.map(|key| (key, number)).collect::<HashMap<_, _>>())
        })
    }))
}

#[tokio::test]
async fn who_asks_while_a_reading_is_under_way_is_answered_by_the_next_together() {
    let (gate, read) = (Arc::new(Semaphore::new(0)), Arc::default());
    let gather = gather(&gate, &read);
    let ask = |key| {
        let gather = gather.clone();
        tokio::spawn(async move { gather.get(key).await.unwrap() })
    };
    let first = ask(2);
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    let later: Vec<_> = [2, 4, 4, 5].map(ask).into();
    tokio::task::yield_now().await;
    gate.add_permits(2);
    assert_eq!(first.await.unwrap(), Some(1));
    let mut answers = Vec::new();
    for answer in later {
        answers.push(answer.await.unwrap());
    }
    assert_eq!(answers, [Some(2), Some(2), Some(2), None]);
    assert_eq!(*read.lock().unwrap(), [vec![2], vec![2, 4, 5]]);
}

#[tokio::test]
async fn a_reading_that_failed_or_broke_off_tells_its_askers_and_the_next_is_made_anew() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let gather: Gather<u32, u32> = Gather::new(move |keys| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match number {
                0 => Err(Error::Internal("no answer".into())),
                1 => panic!("broke off"),
                _ => Ok(keys.into_iter().map(|key| (key, key)).collect()),
            }
        })
    });
    assert!(matches!(gather.get(1).await, Err(Error::Internal(cause)) if cause == "no answer"));
    assert!(gather.get(1).await.is_err());
    assert_eq!(gather.get(1).await.unwrap(), Some(1));
    assert_eq!(tries.load(Ordering::SeqCst), 3);
}
