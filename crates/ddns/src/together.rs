//! Waiting for several things at once.

use std::{future::poll_fn, task::Poll};

use crate::wire::Later;

/// Waits until all have come, in whichever order, and returns them in the order of the list.
///
/// Each of them is looked at whenever one of them stirs: this is for a dozen, not for thousands.
pub async fn together<T>(list: Vec<Later<'_, T>>) -> Vec<T> {
    let mut pending: Vec<Later<'_, T>> = Vec::with_capacity(list.len());
    let mut come: Vec<Option<T>> = Vec::with_capacity(list.len());
    for one in list {
        pending.push(one);
        come.push(None);
    }
    poll_fn(move |context| {
        for (one, place) in pending.iter_mut().zip(&mut come) {
            if place.is_none()
                && let Poll::Ready(value) = one.as_mut().poll(context)
            {
                *place = Some(value);
            }
        }
        if come.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(come.iter_mut().filter_map(Option::take).collect())
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::channel;

    use super::*;

    #[test]
    fn what_comes_last_may_stand_first() {
        let (late, waited) = channel();
        let all = together(vec![
            Box::pin(async { waited.await.unwrap() }) as Later<'_, u8>,
            Box::pin(async move {
                late.send(1_u8).unwrap();
                2
            }),
        ]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(all), [1, 2]);
        assert!(runtime.block_on(together::<u8>(Vec::new())).is_empty());
    }
}
