//! How macOS tells the arguments and variables that a process was started with.
//!
//! `KERN_PROCARGS2`: the number of arguments, the path of the image, NULs that fill a word, then
//! arguments and variables one after the other, each with its NUL.

/// Returns the variables, as `NAME=value`; none when the system keeps them to itself.
pub(super) fn variables(bytes: &[u8]) -> Vec<Vec<u8>> {
    let Some((count, rest)) = bytes.split_first_chunk::<4>() else { return Vec::new() };
    let count = usize::try_from(i32::from_ne_bytes(*count)).unwrap_or_default();
    let image = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let rest = rest.get(image..).unwrap_or_default();
    let filling = rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len());
    let texts = rest.get(filling..).unwrap_or_default().split(|byte| *byte == 0);
    texts.skip(count).take_while(|text| !text.is_empty()).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::variables;

    #[test]
    fn variables_come_after_as_many_arguments_as_there_are() {
        check(2, b"/bin/a\0\0\0a\0-v\0X=1\0Y=\0\0ptr_munge=\0", &["X=1", "Y="]);
        check(3, b"/bin/a\0a\0\0A=b\0X=1\0", &["X=1"]);
        check(1, b"/bin/a\0a\0", &[]);
        check(1, b"/bin/a\0\0\0\0a\0X=1", &["X=1"]);
    }

    #[test]
    fn what_is_cut_off_has_no_variables() {
        check(5, b"/bin/a\0a\0b\0", &[]);
        check(1, b"/bin/a", &[]);
        check(-1, b"", &[]);
        assert_eq!(variables(&[1, 0]), Vec::<Vec<u8>>::new());
    }

    fn check(count: i32, rest: &[u8], expected: &[&str]) {
        let bytes = [count.to_ne_bytes().as_slice(), rest].concat();
        let found = variables(&bytes);
        let expected: Vec<&[u8]> = expected.iter().map(|text| text.as_bytes()).collect();
        assert_eq!(found, expected);
    }
}
