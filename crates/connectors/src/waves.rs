//! Changes of one record, one after the other.

/// Parts in which no key stands twice, in the order in which the items came: vendors take an id once in a batch.
pub(crate) fn waves<T, K: PartialEq>(items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<Vec<T>> {
    let mut waves: Vec<Vec<T>> = Vec::new();
    for item in items {
        let own = key(&item);
        match waves.iter_mut().find(|wave| wave.iter().all(|other| key(other) != own)) {
            Some(wave) => wave.push(item),
            None => waves.push(vec![item]),
        }
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_once_in_a_wave_and_in_order_over_all() {
        let items = vec![("a", 1), ("b", 2), ("a", 3), ("a", 4), ("b", 5)];
        let expected = vec![vec![("a", 1), ("b", 2)], vec![("a", 3), ("b", 5)], vec![("a", 4)]];
        assert_eq!(waves(items, |item| item.0), expected);
        assert!(waves(Vec::<u8>::new(), |item| *item).is_empty());
    }
}
