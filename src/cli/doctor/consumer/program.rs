//! Programs that the operator names: there, and the service may run them.

use super::super::{Site, finding::Line};
use rustix::fs::{Access, access};
use std::{path::PathBuf, sync::Arc};

/// Whether the service may run it. It is not run: what it does is its own business.
pub async fn runs(site: &Arc<Site>, tried: String, argv: &[String]) -> Line {
    let Some(name) = argv.first().cloned() else { return Line::failed(tried, "it names no program") };
    let shown = name.clone();
    match site.as_service(move || find(&name)).await {
        Ok(Some(path)) => Line::ok(tried, format!("{} can be run", path.display())),
        Ok(None) if shown.contains('/') => {
            Line::failed(tried, format!("{shown} cannot be run by the service"))
                .command(format!("ls -l {shown}"))
        }
        Ok(None) => {
            Line::failed(tried, format!("no program {shown} in PATH")).advice("name it with its whole path")
        }
        Err(why) => Line::failed(tried, why),
    }
}

fn find(name: &str) -> Option<PathBuf> {
    let runs = |path: &PathBuf| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(runs);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(runs)
}
