//! Every rule of `cargo xtask tidy`.

mod arrows;
mod cycles;
mod environment;
mod fuzzed;
mod launch;
mod links;
mod manifests;
mod mentioned;
mod module_docs;
mod names;
mod open_ends;
mod printing;
mod proofs;
mod reasons;
mod sizes;
mod unsafe_code;
mod unused_pub;
mod walls;

use super::Rule;

/// The rules, in the order in which they are reported.
pub(super) const ALL: &[Rule] = &[
    arrows::RULE,
    cycles::RULE,
    manifests::RULE,
    sizes::RULE,
    module_docs::RULE,
    names::RULE,
    unsafe_code::RULE,
    launch::RULE,
    environment::RULE,
    printing::RULE,
    reasons::RULE,
    unused_pub::RULE,
    fuzzed::RULE,
    links::RULE,
    mentioned::RULE,
    proofs::RULE,
    walls::RULE,
    open_ends::RULE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_file_of_its_name_and_a_reason() {
        for rule in ALL {
            let file = format!("{}/src/tidy/rules/{}.rs", env!("CARGO_MANIFEST_DIR"), rule.id);
            assert!(std::path::Path::new(&file).is_file(), "{file}");
            assert!(rule.why.len() > 20, "{} has no reason", rule.id);
        }
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/tidy/rules")).unwrap().count();
        assert_eq!(files, ALL.len() + 1, "a rule's file is not in the list");
    }
}
