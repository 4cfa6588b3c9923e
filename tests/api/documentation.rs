//! The documentation names every route and every code, and no other.

use switchboard::api::table;

const PAGE: &str = include_str!("../../docs/api.md");

#[test]
fn every_route_is_documented() {
    for route in table() {
        let heading = format!("`{} {}`", route.method, route.path);
        assert!(PAGE.contains(&heading), "docs/api.md has no {heading}");
    }
}

#[test]
fn every_documented_route_exists() {
    let routes = table();
    for line in PAGE.lines().filter(|line| line.starts_with("### `")) {
        for name in line.split('`').skip(1).step_by(2) {
            let found = routes.iter().any(|route| format!("{} {}", route.method, route.path) == name);
            assert!(found, "docs/api.md names {name}, which does not exist");
        }
    }
}

#[test]
fn every_code_of_a_problem_is_documented() {
    let mut codes: Vec<String> = Vec::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(path).unwrap();
            let source = source.split("#[cfg(test)]\nmod tests").next().unwrap().replace('\n', " ");
            for opening in ["Problem::new(", "Self::new(", "Problem::bad_request(", "Self::bad_request("] {
                for part in source.split(opening).skip(1) {
                    // The code is the first text among the arguments.
                    let arguments: String = part.chars().take(160).collect();
                    if let Some(code) = arguments.split('"').nth(1).filter(|code| !code.contains(' ')) {
                        codes.push(code.to_owned());
                    }
                }
            }
        }
    }
    let outcome = include_str!("../../src/model/outcome.rs");
    codes.extend(
        outcome
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once("=> \"")?.1.split('"').next())
            .map(str::to_owned),
    );
    assert!(codes.len() > 30, "the codes are not found any more: {codes:?}");
    for code in codes {
        assert!(PAGE.contains(&format!("`{code}`")), "docs/api.md does not name the code {code}");
    }
}
