//! The page of an incident: what it says, that it only reads, that hostile titles are text on it, and how a browser shows it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use crate::support::damage;
use crate::support::rows::{change, create};
use crate::support::sandbox::{NOW, Sandbox};

/// Text that is markup, ends attributes, names entities, turns what follows around and hides.
const HOSTILE: &str = "</title></style><script src=\"http://evil.invalid/x.js\">alert(1)</script><img src='http://evil.invalid/i.png' onerror=alert(2)>\"'&lt; \u{202e}live\u{200b}";

fn date(path: &Path, ago: u64) {
    let time = UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs() - ago);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// A damaged board and two equal copies, damaged at other places and in part at the same; all times are fixed.
fn incident() -> Sandbox {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 3);
    let bytes = std::fs::read(&good).unwrap();
    let without = |gone: std::ops::Range<usize>| {
        let mut bytes = bytes.clone();
        bytes
            .chunks_exact_mut(damage::PAGE)
            .enumerate()
            .filter(|(page, _)| gone.contains(page))
            .for_each(|(_, page)| page.fill(0));
        bytes
    };
    for (name, ago) in [(".corrupt.20260501_000000.bak", 9_000), (".corrupt.20260502_000000.bak", 7_200)] {
        let copy = damage::beside(&sandbox.board(), name);
        std::fs::write(&copy, without(20..60)).unwrap();
        date(&copy, ago);
    }
    std::fs::write(sandbox.board(), without(10..40)).unwrap();
    date(&sandbox.board(), 60);
    sandbox
}

#[test]
fn a_summary_has_timeline_sources_losses_and_commands() {
    let sandbox = incident();
    let before = sandbox.photograph();
    let mut shown = String::new();
    for args in [&["report"][..], &["report", "--format", "table"]] {
        let output = sandbox.run(args).success();
        writeln!(shown, "$ kanbanctl {}\n{output}\n", args.join(" ")).unwrap();
    }
    assert_eq!(sandbox.photograph(), before);
    // Said to others than root.
    let shown: Vec<&str> =
        shown.lines().filter(|line| !line.contains("not every process could be seen")).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn the_json_has_what_the_page_says() {
    let sandbox = incident();
    let data = sandbox.run(&["report", "--json"]).success().data();
    let dry = sandbox.run(&["recover", "--dry-run", "--json"]).data();
    assert_eq!(data["recovery"]["tables"], dry["tables"]);
    assert_eq!(data["recovery"]["losses"], dry["losses"]);
    assert_eq!(data["map"], dry["map"]);
    let health = sandbox.run(&["health", "--depth", "full", "--json"]).data();
    // Which processes cannot be seen differs from one moment to the next.
    let told = |data: &Value| {
        let mut findings = data["findings"].as_array().unwrap().clone();
        findings.retain(|finding| finding["id"] != "holders");
        findings
    };
    assert_eq!(told(&data), told(&health));
    let page = sandbox.run(&["report", "--output", "-"]).success().stdout;
    for source in data["sources"].as_array().unwrap() {
        assert!(page.contains(source["path"].as_str().unwrap()), "{source}");
    }
    for loss in data["recovery"]["losses"].as_array().unwrap() {
        assert!(loss["task"].as_str().is_none_or(|task| page.contains(task)), "{loss}");
    }
    for next in data["next"].as_array().unwrap() {
        assert!(page.contains(&format!("<pre>{}</pre>", next["command"].as_str().unwrap())), "{next}");
    }
    assert!(page.contains(data["sentence"].as_str().unwrap()));
}

#[test]
fn a_page_is_a_new_file_and_replaces_one_only_when_forced() {
    let sandbox = incident();
    let before = sandbox.photograph();
    let page = sandbox.work().join("report.html");
    let args = ["report", "--output", "report.html"];
    sandbox.run(&[&args[..], &["--dry-run"]].concat()).success().says("was not written");
    assert!(!page.exists());
    sandbox.run(&args).success().says("The report is in report.html.");
    let is_page = || std::fs::read(&page).unwrap().starts_with(b"<!DOCTYPE html>");
    assert!(is_page());
    std::fs::write(&page, "mine").unwrap();
    sandbox.run(&args).exits(12).says("--force");
    assert_eq!(std::fs::read(&page).unwrap(), b"mine");
    sandbox.run(&[&args[..], &["--force"]].concat()).success();
    assert!(is_page());
    // A board, its copies and links are replaced by nothing.
    let copy = damage::beside(&sandbox.board(), ".corrupt.20260501_000000.bak");
    std::os::unix::fs::symlink(&page, sandbox.work().join("link.html")).unwrap();
    for there in [sandbox.board(), copy, sandbox.work().join("link.html"), sandbox.work()] {
        sandbox.run(&["report", "--force", "--output", there.to_str().unwrap()]).exits(12);
    }
    sandbox.run(&["report", "--output", "nowhere/report.html"]).exits(12);
    sandbox.run(&["report", "--output", "nowhere/report.html", "--create-dirs"]).success();
    sandbox.run(&["report", "--force"]).exits(2);
    sandbox.run(&["report", "--output", "-", "--json"]).exits(2);
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn a_page_is_no_wider_than_the_board() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with_board();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(sandbox.board(), std::fs::Permissions::from_mode(0o600)).unwrap();
    sandbox.run(&["report", "--output", "report.html"]).success();
    assert_eq!(mode(&sandbox.work().join("report.html")), 0o600);
}

#[test]
fn without_a_board_there_is_no_report_and_a_healthy_one_says_so() {
    let sandbox = Sandbox::new();
    sandbox.run(&["report"]).exits(10);
    let sandbox = Sandbox::with_board();
    let report = sandbox.run(&["report", "--json"]).success().data();
    assert_eq!(report["verdict"], "healthy");
    assert_eq!(report["up_to_date"], true);
    assert_eq!(report["sentence"], "This board is sound; nothing to do.");
}

#[test]
fn what_was_done_is_told_from_the_evidence() {
    let sandbox = incident();
    sandbox.run(&["recover", "--yes", "--assume-unused"]);
    let report = sandbox.run(&["report", "--json"]).success().data();
    assert_eq!(report["evidence"][0]["operation"], "recover", "{report}");
    assert_eq!(report["evidence"][0]["outcome"], "carried out");
    let page = sandbox.run(&["report", "--output", "-"]).success().stdout;
    assert!(page.contains("kanbanctl recover") && page.contains("kanban.db.evidence."), "{page}");
}

/// A board whose every text is markup.
fn hostile() -> Sandbox {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &[HOSTILE]);
    let text = HOSTILE.replace('\'', "''");
    change(&sandbox, &format!("UPDATE task_events SET kind = '{text}'"));
    change(&sandbox, &format!("UPDATE tasks SET id = '{text}', assignee = '{text}' WHERE id = '{id}'"));
    change(&sandbox, "PRAGMA wal_checkpoint(TRUNCATE)");
    sandbox
}

#[test]
fn texts_of_a_board_are_text_on_the_page() {
    let sandbox = hostile();
    let page = sandbox.run(&["report", "--output", "-"]).success().stdout;
    assert!(page.contains("&lt;script src=&quot;http://evil.invalid/x.js&quot;&gt;"), "{page}");
    for mark in ["<script", "<img", "<iframe", "<link", "\u{202e}", "\u{200b}"] {
        assert!(!page.contains(mark), "{mark}");
    }
    assert_eq!(
        page.matches("</title>").count() + page.matches("</style>").count(),
        page.matches("<title>").count() + page.matches("<style>").count()
    );
}

/// A browser that takes longer hangs.
const DEADLINE: Duration = Duration::from_mins(2);

/// What the browser made of a page.
struct Shown {
    measured: Value,
    console: Vec<String>,
    requests: Vec<String>,
}

/// Loads `page` in a frame of the given width and scheme, in a browser that can reach no host.
fn load(browser: &Path, sandbox: &Sandbox, page: &Path, width: u32, dark: bool) -> Shown {
    let profile = tempfile::Builder::new().prefix("browser.").tempdir_in(sandbox.path()).unwrap();
    let harness = profile.path().join("harness.html");
    let script = "onload = () => { const d = f.contentDocument, r = d.documentElement; o.textContent = JSON.stringify({
        wide: r.scrollWidth, room: r.clientWidth, back: getComputedStyle(d.body).backgroundColor,
        ink: getComputedStyle(d.body).color, scripts: d.scripts.length, sections: d.querySelectorAll('section').length,
        images: d.images.length, title: d.title, text: d.body.innerText,
        fetched: f.contentWindow.performance.getEntriesByType('resource').length}); }";
    std::fs::write(
        &harness,
        format!("<iframe id=f src=\"file://{}\" style=\"width:{width}px;height:900px;border:0\"></iframe><pre id=o></pre><script>{script}</script>", page.display()),
    )
    .unwrap();
    let log = profile.path().join("net.json");
    let files = ["dom", "said"].map(|name| profile.path().join(name));
    let mut child = sandbox
        .program(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args([
            "--disable-dev-shm-usage",
            "--disable-breakpad",
            "--allow-file-access-from-files",
            "--dump-dom",
        ])
        .args(["--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1400,1000"])
        .arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)))
        .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("file://{}", harness.display()))
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&files[0]).unwrap())
        .stderr(std::fs::File::create(&files[1]).unwrap())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < DEADLINE || child.kill().is_err(), "the browser does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    let [dom, said] = files.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
    let console = said.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    let found = dom.split("<pre id=\"o\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let found = found.unwrap_or_else(|| panic!("nothing was measured\n{dom}\n{said}"));
    let found = found.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    let measured = serde_json::from_str(&found).unwrap_or_else(|error| panic!("{error}: {found}"));
    // The browser's own requests, for its updates, have no origin.
    let net = std::fs::read_to_string(&log).unwrap();
    let requests = net
        .lines()
        .filter(|line| line.contains("\"initiator\"") && !line.contains("\"initiator\":\"not an origin\""))
        .map(str::to_owned)
        .collect();
    Shown { measured, console, requests }
}

/// The browser, when there is one.
fn browser() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|path| path.join("chromium")).find(|path| path.is_file());
    let runs = |path: &PathBuf| {
        let asked = Command::new(path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    let found = found.filter(runs);
    if found.is_none() {
        eprintln!("!!!! SKIPPED: chromium is not installed");
    }
    found
}

#[test]
fn a_browser_shows_the_page_at_every_width_without_network_or_complaint() {
    let Some(browser) = browser() else { return };
    let mut colours = std::collections::BTreeSet::new();
    for sandbox in [incident(), hostile()] {
        let page = sandbox.work().join("report.html");
        sandbox.run(&["report", "--output", "report.html"]).success();
        for (width, dark) in [(1_280, false), (360, true)] {
            let Shown { measured, console, requests } = load(&browser, &sandbox, &page, width, dark);
            assert_eq!(console, Vec::<String>::new(), "{width}");
            assert_eq!(requests, Vec::<String>::new(), "{width}");
            let room = measured["room"].as_u64().unwrap();
            // A scroll bar takes some of it.
            assert!(u64::from(width) - room < 30, "{measured}");
            assert_eq!(measured["wide"], room, "the page is wider than the window: {measured}");
            assert_eq!(
                (&measured["scripts"], &measured["images"], &measured["fetched"]),
                (&0.into(), &0.into(), &0.into())
            );
            assert!(measured["sections"].as_u64().unwrap() >= 7, "{measured}");
            colours.insert((dark, measured["back"].to_string(), measured["ink"].to_string()));
        }
    }
    assert_eq!(colours.len(), 2, "light and dark are the same: {colours:?}");
}

/// The checks above see what they look for.
#[test]
fn the_browser_tells_of_scripts_requests_and_complaints() {
    let Some(browser) = browser() else { return };
    let sandbox = Sandbox::new();
    let page = sandbox.work().join("bad.html");
    std::fs::write(
        &page,
        format!(
            "<body style=\"width:9000px\"><script>console.error('x')</script>{}",
            HOSTILE.replace("alert", "void")
        ),
    )
    .unwrap();
    let Shown { measured, console, requests } = load(&browser, &sandbox, &page, 360, false);
    assert!(!console.is_empty() && !requests.is_empty(), "{console:?} {requests:?}");
    assert!(measured["wide"].as_u64().unwrap() >= 9_000 && measured["scripts"] != 0, "{measured}");
}
