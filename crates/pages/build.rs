//! Puts the account pages' script into the binary, where `scripts/pages.sh` has made it. Without it the crate builds too, and
//! the pages say what is missing (docs/adr/0011).

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Each with a packed twin.
const FILES: [(&str, &str); 3] = [
    ("account.js", "text/javascript; charset=utf-8"),
    ("account.css", "text/css; charset=utf-8"),
    ("doorward_client_bg.wasm", "application/wasm"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let built = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("built");
    println!("cargo::rerun-if-changed={}", built.display());
    println!("cargo::rerun-if-env-changed=DOORWARD_REQUIRE_PAGES");
    let needed: Vec<PathBuf> =
        FILES.iter().flat_map(|(name, _)| [(*name).to_owned(), format!("{name}.gz")]).map(|it| built.join(it)).collect();
    let missing = needed.iter().filter(|path| !path.is_file()).count();
    let text = if missing == 0 {
        let version = fs::read_to_string(built.join("version"))?;
        let one = |(name, kind): &(&str, &str)| {
            let path = built.join(name).display().to_string();
            format!(
                "    File {{ name: {name:?}, kind: {kind:?}, plain: include_bytes!({path:?}), packed: include_bytes!({:?}) }},\n",
                format!("{path}.gz")
            )
        };
        let files: String = FILES.iter().map(one).collect();
        format!("pub(crate) const BUILT: Option<Built> = Some(Built {{ version: {:?}, files: &[\n{files}] }});\n", version.trim())
    } else if missing < needed.len() {
        return Err(format!("{}: some files are missing; `make pages` makes all of them", built.display()).into());
    } else if env::var_os("DOORWARD_REQUIRE_PAGES").is_some_and(|it| it == "1") {
        return Err("DOORWARD_REQUIRE_PAGES is set, and the account pages are not built; `make pages` builds them".into());
    } else {
        "pub(crate) const BUILT: Option<Built> = None;\n".to_owned()
    };
    fs::write(Path::new(&env::var("OUT_DIR")?).join("built.rs"), text)?;
    Ok(())
}
