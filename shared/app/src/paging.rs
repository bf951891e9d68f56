//! Pages of lists that are in memory as a whole, newest first (decision 12).

use crate::ports::{COUNTED_TOTAL, PageOf, PageRequest, PageStart};

/// The requested part of `items`, which are in ascending order of their keys and shown in descending order.
pub fn newest_first<T>(items: Vec<(String, T)>, page: &PageRequest) -> PageOf<T> {
    let counted = COUNTED_TOTAL as usize;
    let total = items.len();
    let limit = page.limit as usize;
    let wanted = items.into_iter().rev();
    let mut rest: Vec<(String, T)> = match &page.from {
        PageStart::Offset(offset) => wanted.skip(*offset as usize).collect(),
        PageStart::After(key) => wanted.filter(|(own, _)| own < key).collect(),
    };
    let more = rest.len() > limit;
    rest.truncate(limit);
    let next = rest.last().filter(|_| more).map(|(key, _)| key.clone());
    PageOf {
        items: rest.into_iter().map(|(_, item)| item).collect(),
        next,
        total: u32::try_from(total.min(counted)).unwrap_or(COUNTED_TOTAL),
        total_is_lower_bound: total > counted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<(String, u32)> {
        (0..5_u32).map(|n| (format!("k{n}"), n)).collect()
    }

    fn page(limit: u32, from: PageStart) -> PageOf<u32> {
        newest_first(items(), &PageRequest { limit, from })
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let first = page(2, PageStart::Offset(0));
        assert_eq!((first.items, first.total), (vec![4, 3], 5));
        let second = page(2, PageStart::After(first.next.unwrap()));
        assert_eq!(second.items, [2, 1]);
        let last = page(2, PageStart::After(second.next.unwrap()));
        assert_eq!((last.items, last.next), (vec![0], None));
    }

    #[test]
    fn a_page_that_ends_exactly_at_the_end_has_no_next() {
        assert_eq!(page(5, PageStart::Offset(0)).next, None);
        assert_eq!(page(2, PageStart::Offset(9)).items, Vec::<u32>::new());
    }
}
