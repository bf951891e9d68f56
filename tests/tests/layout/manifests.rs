//! Versions and features stand once, in the root manifest: a feature that a member adds would rebuild tokio and the SDK whenever
//! `-p x` and `--workspace` alternate.

/// What is wrong with the dependency tables of a member's manifest.
pub(crate) fn complaints(folder: &str, manifest: &str) -> Vec<String> {
    let mut in_dependencies = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            in_dependencies = table.ends_with("dependencies");
            if table.contains("dependencies.") {
                found.push(format!("{folder}/Cargo.toml: write [{table}] as a line of its table: NAME = {{ workspace = true }}"));
            }
        } else if in_dependencies
            && !line.is_empty()
            && !line.starts_with('#')
            && !is_inherited(line)
        {
            let name = line.split(['=', '.']).next().unwrap_or_default().trim();
            found.push(format!(
                "{folder}/Cargo.toml: versions and features of `{name}` belong to [workspace.dependencies] in the root's Cargo.toml; paste\n    \
                 {name} = {{ workspace = true }}"
            ));
        }
    }
    found
}

fn is_inherited(line: &str) -> bool {
    line.split_once('=').is_some_and(|(_, value)| {
        let value: String = value.split_whitespace().collect();
        // Whether it is there at all is the member's to say, where only a feature of the member's own brings it.
        ["{workspace=true}", "{workspace=true,optional=true}"].contains(&value.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inherited_dependencies_are_fine() {
        let manifest = "[package]\nname = \"x\"\n\n[dependencies]\n# why\nserde = { workspace = true }\nx = { workspace = true, optional = true }\n\n[[bin]]\nname = \"x\"\n";
        assert!(complaints("x", manifest).is_empty());
    }

    #[test]
    fn anything_else_is_not() {
        for line in [
            "tokio = \"1\"",
            "tokio = { version = \"1\" }",
            "tokio = { workspace = true, features = [\"full\"] }",
            "tokio = { workspace = true, default-features = false }",
            "tokio.workspace = true",
        ] {
            let found = complaints("x", &format!("[dev-dependencies]\n{line}\n"));
            assert_eq!(found.len(), 1, "{line}");
            assert!(
                found.concat().contains("tokio = { workspace = true }"),
                "{line}"
            );
        }
        assert_eq!(
            complaints("x", "[dependencies.tokio]\nworkspace = true\n").len(),
            1
        );
    }
}
