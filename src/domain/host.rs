//! What a host name is, for addresses, signing domains and DNS questions alike.

/// RFC 1035 §2.3.4, without the root's own byte.
const NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// Lower-case labels of letters, digits, `-` and `_` (as in `_domainkey`), at least two, without a final dot.
pub fn is_host_name(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    let label = |label: &str| {
        let edges = !label.starts_with('-') && !label.ends_with('-');
        !label.is_empty() && label.len() <= LABEL_MAX && edges && label.bytes().all(legal)
    };
    text.len() <= NAME_MAX && text.contains('.') && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::is_host_name;

    #[test]
    fn a_host_name_is_two_labels_or_more() {
        for good in ["leaf7.fun", "s1._domainkey.leaf7.fun", "xn--lf7-xna.fun", "127.0.0.1"] {
            assert!(is_host_name(good), "{good}");
        }
        for bad in ["", "fun", "leaf7.fun.", ".fun", "a..b", "-a.b", "a-.b", "A.b", "a b.c", "ä.fun", "a/b.c"]
        {
            assert!(!is_host_name(bad), "{bad}");
        }
        assert!(!is_host_name(&format!("{}.fun", "x".repeat(64))));
        assert!(!is_host_name(&["abcdefg"; 40].join(".")));
    }
}
