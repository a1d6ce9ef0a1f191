//! A real secret, held so that it cannot be shown by accident.

use std::fmt;

use zeroize::Zeroizing;

/// A real secret. It has no `Display`, cannot be serialised or cloned, its `Debug` form says
/// nothing, not even its length, and its memory is cleared when it is dropped.
///
/// ```compile_fail
/// let secret = brig_secret::Secret::from("s".to_owned());
/// println!("{secret}");
/// ```
///
/// ```compile_fail
/// let secret = brig_secret::Secret::from("s".to_owned());
/// let text: String = secret.to_string();
/// ```
///
/// ```compile_fail
/// let secret = brig_secret::Secret::from("s".to_owned());
/// let copy = secret.clone();
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself. Whoever calls this must neither print nor keep it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    /// Takes the string over without a copy, so that none is left behind.
    fn from(value: String) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::{Zeroize, ZeroizeOnDrop};

    #[test]
    fn debug_says_nothing() {
        let short = Secret::from("hunter2".to_owned());
        let long = Secret::from("hunter2".repeat(9));
        assert_eq!(format!("{short:?}"), "Secret(…)");
        assert_eq!(format!("{long:#?}"), format!("{short:?}"));
        assert_eq!(format!("{:?}", Some(&short)), "Some(Secret(…))");
        assert_eq!(short.expose(), "hunter2");
    }

    #[test]
    fn memory_is_cleared_on_drop_and_on_demand() {
        fn cleared_on_drop(_: &impl ZeroizeOnDrop) {}
        let mut secret = Secret::from("hunter2".to_owned());
        cleared_on_drop(&secret.0);
        secret.0.zeroize();
        assert_eq!(secret.expose(), "");
    }

    #[test]
    fn taking_a_string_over_makes_no_copy() {
        let text = "hunter2".to_owned();
        let place = text.as_ptr();
        assert_eq!(Secret::from(text).expose().as_ptr(), place);
    }
}
