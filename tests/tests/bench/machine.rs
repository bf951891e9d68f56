//! Where a benchmark ran.

use std::process::Command;

/// The machine, in a sentence.
pub(crate) fn sentence() -> String {
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let kilobytes = field("/proc/meminfo", "MemTotal")
        .and_then(|total| total.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{cores} cores ({processor}), {} GB, {} {}, {}",
        kilobytes / 1_000_000,
        std::env::consts::OS,
        std::env::consts::ARCH,
        said_by("rustc", &["--version"]),
    )
}

/// The commit that was measured.
pub(crate) fn commit() -> String {
    said_by("git", &["describe", "--always", "--dirty", "--exclude=*"])
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}

/// The first value of a field in one of Linux's lists of them.
fn field(path: &str, name: &str) -> Option<String> {
    first_value(&std::fs::read_to_string(path).ok()?, name)
}

/// The first value of a field in lines of `name: value`.
pub(crate) fn first_value(list: &str, name: &str) -> Option<String> {
    list.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let list = "VmPeak:\t  10 kB\nVmHWM:\t  7 kB\n";
        assert_eq!(first_value(list, "VmHWM").as_deref(), Some("7 kB"));
        assert_eq!(first_value(list, "Vm"), None);
    }
}
