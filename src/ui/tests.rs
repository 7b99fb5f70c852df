use std::cell::RefCell;
use std::rc::Rc;

use super::*;

#[derive(Clone, Default)]
struct Stream(Rc<RefCell<Vec<u8>>>);

impl Stream {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(serde::Serialize)]
struct Titles(Vec<&'static str>);

impl Report for Titles {
    fn kind(&self) -> &'static str {
        "task.list"
    }

    fn record_kind(&self) -> &'static str {
        "task"
    }

    fn human(&self, page: &mut Document<'_>) {
        self.0.iter().for_each(|title| page.line(title));
    }

    fn plain(&self, records: &mut Records<'_>) {
        self.0.iter().for_each(|title| records.record(&[title]));
    }
}

fn run(settings: Settings, act: impl FnOnce(&mut Ui)) -> (String, String) {
    let (out, err) = (Stream::default(), Stream::default());
    let mut ui = Ui::with_streams(settings, Box::new(out.clone()), Box::new(err.clone()));
    act(&mut ui);
    (out.text(), err.text())
}

fn emitted(format: Format, stdout_terminal: bool) -> String {
    let settings = Settings { format, stdout_terminal, ..Settings::default() };
    run(settings, |ui| ui.emit(&Titles(vec!["a\n\u{1b}[2J", "b"])).unwrap()).0
}

#[test]
fn a_terminal_never_gets_an_escape() {
    assert_eq!(emitted(Format::Table, true), "a\\n\\x1b[2J\nb\n");
    assert_eq!(emitted(Format::Plain, true), "a\\n\\x1b[2J\nb\n");
    assert!(!emitted(Format::Json, true).contains('\u{1b}'));
}

#[test]
fn off_a_terminal_only_record_breakers_are_escaped() {
    assert_eq!(emitted(Format::Table, false), "a\\n\u{1b}[2J\nb\n");
    assert_eq!(emitted(Format::Plain, false), "a\\n\u{1b}[2J\nb\n");
    assert_eq!(emitted(Format::Jsonl, false).lines().count(), 2);
}

#[test]
fn quiet_levels_silence_in_steps() {
    let heard = |quiet, verbose| {
        let settings = Settings { quiet, verbose, ..Settings::default() };
        run(settings, |ui| {
            ui.status("Done.");
            ui.success("Well.");
            ui.hint("Next.");
            ui.warning("Careful.");
            ui.detail("Detail.");
            ui.trace("SQL.");
            ui.failure(&Failure::failed("No."));
        })
        .1
    };
    assert_eq!(heard(0, 0), "Done.\nhint: Next.\nwarning: Careful.\nerror: No.\n");
    assert_eq!(heard(1, 0), "warning: Careful.\nerror: No.\n");
    assert_eq!(heard(2, 0), "error: No.\n");
    assert!(heard(0, 1).contains("Well.\n") && heard(0, 1).contains("Detail.\n"));
    assert!(heard(0, 2).contains("SQL.\n"));
}

#[test]
fn failures_name_the_path_and_the_next_step() {
    let failure = Failure::refused("A guard said no.\u{1b}").at("/x/kanban.db".as_ref()).hint("Do this.");
    let settings = Settings { stderr_terminal: true, ..Settings::default() };
    let (_, err) = run(settings, |ui| ui.failure(&failure));
    assert_eq!(err, "error: A guard said no.\\x1b\nfile: /x/kanban.db\nhint: Do this.\n");
    let settings = Settings { format: Format::Json, ..Settings::default() };
    let (out, err) = run(settings, |ui| ui.failure(&failure));
    assert!(out.is_empty() && err.lines().count() == 1 && err.contains("\"code\":12"), "{err}");
}

#[test]
fn a_closed_pipe_is_quiet() {
    let closed = Failure::io(io::ErrorKind::BrokenPipe.into(), "writing to stdout");
    assert_eq!(run(Settings::default(), |ui| ui.failure(&closed)).1, "");
}

#[test]
fn a_file_takes_the_data_only_when_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let settings = Settings { output: Some(path.clone()), ..Settings::default() };
    let (out, _) = run(settings.clone(), |ui| {
        ui.emit(&Titles(vec!["x"])).unwrap();
        assert!(!path.exists());
        ui.finish().unwrap();
    });
    assert!(out.is_empty());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "x\n");
    run(settings, |ui| {
        ui.emit(&Titles(vec!["y"])).unwrap();
        ui.failure(&Failure::failed("No."));
    });
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "x\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
