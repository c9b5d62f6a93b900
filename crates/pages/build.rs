//! Puts the account pages' script into the binary, where `scripts/pages.sh` has made it. Without it the crate builds too, and
//! the pages say what is missing (docs/adr/0011).

use std::path::Path;
use std::{env, fs};

/// What no page does without; the scripts that they load later have names of their own.
const NEEDED: [&str; 3] = ["account.js", "account.css", "doorward_client_bg.wasm"];

fn kind(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        _ => return None,
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let built = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("built");
    println!("cargo::rerun-if-changed={}", built.display());
    println!("cargo::rerun-if-env-changed=DOORWARD_REQUIRE_PAGES");
    let mut names =
        fs::read_dir(&built)?.map(|it| Ok(it?.file_name().to_string_lossy().into_owned())).collect::<std::io::Result<Vec<_>>>()?;
    names.sort();
    let files: Vec<(&String, &str)> = names.iter().filter_map(|name| Some((name, kind(name)?))).collect();
    let whole =
        NEEDED.iter().all(|name| names.iter().any(|it| it == name)) && files.iter().all(|(name, _)| names.contains(&format!("{name}.gz")));
    let text = if whole {
        let version = fs::read_to_string(built.join("version"))?;
        let one = |(name, kind): &(&String, &str)| {
            let path = built.join(name).display().to_string();
            format!(
                "    File {{ name: {name:?}, kind: {kind:?}, plain: include_bytes!({path:?}), packed: include_bytes!({:?}) }},\n",
                format!("{path}.gz")
            )
        };
        let files: String = files.iter().map(one).collect();
        format!("pub(crate) const BUILT: Option<Built> = Some(Built {{ version: {:?}, files: &[\n{files}] }});\n", version.trim())
    } else if !files.is_empty() {
        return Err(format!("{}: some files are missing; `make pages` makes all of them", built.display()).into());
    } else if env::var_os("DOORWARD_REQUIRE_PAGES").is_some_and(|it| it == "1") {
        return Err("DOORWARD_REQUIRE_PAGES is set, and the account pages are not built; `make pages` builds them".into());
    } else {
        "pub(crate) const BUILT: Option<Built> = None;\n".to_owned()
    };
    fs::write(Path::new(&env::var("OUT_DIR")?).join("built.rs"), text)?;
    Ok(())
}
