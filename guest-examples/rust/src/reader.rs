//! Reads a log in pieces and sums it up.

use std::collections::{BTreeMap, HashMap};

use crate::example::logs::lookup;
use crate::example::logs::types::{
    Action, Activity, BadLine, Change, Options, ParseError, Pause, Summary,
};
use crate::line::{self, Entry, Event};

pub struct Reader {
    pub options: Options,
    /// A line that has no end yet.
    partial: String,
    lines: u64,
    entries: u32,
    unknown: u32,
    first_bad: Option<BadLine>,
    span: Option<(i64, i64)>,
    actions: BTreeMap<Action, u32>,
    packages: HashMap<String, Activity>,
    pauses: Vec<Pause>,
}

impl Reader {
    pub fn new(options: Options) -> Self {
        Self {
            options,
            partial: String::new(),
            lines: 0,
            entries: 0,
            unknown: 0,
            first_bad: None,
            span: None,
            actions: BTreeMap::new(),
            packages: HashMap::new(),
            pauses: Vec::new(),
        }
    }

    pub fn feed(&mut self, mut text: &str) -> u64 {
        while let Some((line, rest)) = text.split_once('\n') {
            if self.partial.is_empty() {
                self.read(line);
            } else {
                let line = std::mem::take(&mut self.partial) + line;
                self.read(&line);
            }
            text = rest;
        }
        self.partial += text;
        self.lines
    }

    pub fn finish(&mut self) -> Result<Summary, ParseError> {
        let rest = std::mem::take(&mut self.partial);
        if !rest.is_empty() {
            self.read(&rest);
        }
        if self.lines == 0 {
            return Err(ParseError::Empty);
        }
        if let Some(bad) = self.first_bad.as_ref().filter(|_| self.options.strict) {
            return Err(ParseError::Line(bad.clone()));
        }
        let (first, last) = self.span.unwrap_or_default();
        Ok(Summary {
            lines: self.lines,
            entries: self.entries,
            unknown: self.unknown,
            span: self.span,
            per_hour: f64::from(self.entries) * 3600.0 / (last - first) as f64,
            actions: self
                .actions
                .iter()
                .map(|(action, n)| (*action, *n))
                .collect(),
            packages: self.packages.len() as u32,
            busiest: self.busiest()?,
            pauses: self.pauses.clone(),
        })
    }

    fn read(&mut self, line: &str) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        self.lines += 1;
        if self.lines <= self.options.skip || line.is_empty() {
            return;
        }
        match line::parse(line) {
            Ok(entry) if self.options.since.is_some_and(|since| entry.time < since) => {}
            Ok(entry) => self.count(entry),
            Err(fault) => {
                self.unknown += 1;
                let (number, text) = (self.lines, line.to_owned());
                self.first_bad.get_or_insert(BadLine {
                    number,
                    fault,
                    text,
                });
            }
        }
    }

    fn count(&mut self, Entry { time, event }: Entry<'_>) {
        self.entries += 1;
        let (first, after) = self.span.unwrap_or((time, time));
        self.span = Some((first, time));
        let seconds = (time - after) as f64;
        if self.entries > 1 && seconds > self.options.quiet {
            self.pauses.push(Pause { after, seconds });
        }
        match event {
            Event::Action {
                action,
                package,
                old,
                new,
            } => {
                *self.actions.entry(action).or_default() += 1;
                let change = match action {
                    Action::Install => Some(Change::Installed(new.to_owned())),
                    Action::Upgrade => Some(Change::Upgraded((old.to_owned(), new.to_owned()))),
                    Action::Remove | Action::Disappear => Some(Change::Removed(old.to_owned())),
                    Action::Purge => Some(Change::Purged),
                    Action::Configure | Action::Trigproc => None,
                };
                self.package(package)
                    .history
                    .extend(change.map(|change| (time, change)));
            }
            Event::Status { state, package } => self.package(package).state = Some(state),
            Event::Other => {}
        }
    }

    fn package(&mut self, name: &str) -> &mut Activity {
        let package = self
            .packages
            .entry(name.to_owned())
            .or_insert_with(|| Activity {
                name: name.to_owned(),
                label: None,
                state: None,
                entries: 0,
                history: Vec::new(),
            });
        package.entries += 1;
        package
    }

    fn busiest(&self) -> Result<Vec<Activity>, ParseError> {
        let mut all: Vec<&Activity> = self.packages.values().collect();
        all.sort_by(|a, b| b.entries.cmp(&a.entries).then_with(|| a.name.cmp(&b.name)));
        all.truncate(self.options.top as usize);
        all.into_iter()
            .map(|package| {
                let label = lookup::label(&package.name).map_err(ParseError::Lookup)?;
                Ok(Activity {
                    label,
                    ..package.clone()
                })
            })
            .collect()
    }
}
