//! Cutting what is to be sent into batches that a service takes.

/// Cuts `items`, each with its size in bytes, into batches of at most `most_items` and `most_bytes`. An item that is larger goes alone:
/// the service will say so.
pub(crate) fn cut<T>(
    items: impl IntoIterator<Item = (T, usize)>,
    most_items: usize,
    most_bytes: usize,
) -> Vec<Vec<T>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0_usize;
    for (item, size) in items {
        let is_full = batch.len() >= most_items || bytes.saturating_add(size) > most_bytes;
        if is_full && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        batch.push(item);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_order_and_both_limits() {
        let sizes = [4, 4, 4, 9, 30, 1];
        let batches = cut(sizes.map(|size| (size, size)), 3, 12);
        assert_eq!(batches, [vec![4, 4, 4], vec![9], vec![30], vec![1]]);
        assert_eq!(cut([(1, 1); 7], 3, 100).len(), 3);
        assert!(cut::<u8>([], 3, 12).is_empty());
    }
}
