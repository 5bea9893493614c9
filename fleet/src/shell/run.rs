//! Running a parsed script.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::program::launch::{DEFAULT_PATH, find_executable};

use super::builtin::{self, Builtin};
use super::expand::Fault;
use super::parse::Dialect;
use super::script::{self, Script};
use super::tree::{Command, Redirection, Simple, Word};
use super::variable::Variable;
use super::{Context, Flow, Shell};

/// How deep commands may be nested.
const DEEPEST: usize = 110;
/// From which depth on a function gets a stack of its own.
const DEEP: usize = 20;
/// How many functions may call each other.
const MOST_CALLS: usize = 1000;
/// What a command of the shell itself takes.
const STEP: Duration = Duration::from_micros(10);

/// A task that ends with who waits for it.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Shell {
    /// Returns a parsed text.
    pub(super) fn parsed(&self, text: &str, first_line: u32) -> Arc<Script> {
        let key = (self.dialect, first_line, Arc::from(text));
        let found = self.fleet.world(|world| world.scripts.find(&key));
        found.unwrap_or_else(|| {
            let script = Arc::new(script::parse(text, first_line, self.dialect));
            self.fleet
                .world(|world| world.scripts.keep(key, Arc::clone(&script)));
            script
        })
    }

    /// Runs a text.
    pub(super) async fn run_text(&mut self, text: &str, first_line: u32, context: Context) -> Flow {
        let script = self.parsed(text, first_line);
        let last = script.commands.len().wrapping_sub(1);
        if script.commands.is_empty() && script.error.is_none() {
            self.status = 0;
        }
        for (index, command) in script.commands.iter().enumerate() {
            let context = Context {
                is_last: context.is_last && index == last && script.error.is_none(),
                ..context
            };
            let flow = self.run(command, context).await;
            if flow != Flow::Next {
                return flow;
            }
        }
        match &script.error {
            Some(error) => {
                self.show_syntax_error(error).await;
                Flow::Exit
            }
            None => Flow::Next,
        }
    }

    /// Shows a syntax error and sets the status.
    pub(super) async fn show_syntax_error(&mut self, error: &super::parse::SyntaxError) {
        self.line = error.line;
        let fault = match error.not_simulated {
            Some(what) => self.not_simulated(what),
            None => self.fail(&error.text),
        };
        self.show(fault).await;
    }

    /// Runs a command.
    pub(super) fn run<'a>(
        &'a mut self,
        command: &'a Command,
        context: Context,
    ) -> BoxFuture<'a, Flow> {
        Box::pin(async move {
            if self.control.has_pending() {
                let flow = self.run_traps().await;
                if flow != Flow::Next {
                    return flow;
                }
            }
            if self.depth >= DEEPEST {
                let fault = self.not_simulated("commands that are nested so deep");
                self.show(fault).await;
                return Flow::Exit;
            }
            self.depth += 1;
            let flow = self.run_within(command, context).await;
            self.depth -= 1;
            if flow == Flow::Next && self.control.has_pending() {
                return self.run_traps().await;
            }
            flow
        })
    }

    async fn run_within(&mut self, command: &Command, context: Context) -> Flow {
        let tested = Context {
            is_tested: true,
            is_last: false,
        };
        let inner = Context {
            is_last: false,
            ..context
        };
        match command {
            Command::Simple(simple) => {
                let flow = Box::pin(self.simple(simple, context)).await;
                self.checked(flow, context)
            }
            Command::Pipeline(stages) => {
                self.status = self.pipeline(stages, context.is_tested).await;
                self.checked(Flow::Next, context)
            }
            Command::Not(body) => {
                let flow = self.run(body, tested).await;
                if flow == Flow::Next {
                    self.status = u8::from(self.status == 0);
                }
                flow
            }
            Command::And(left, right) | Command::Or(left, right) => {
                let flow = self.run(left, tested).await;
                let goes_on = (self.status == 0) == matches!(command, Command::And(..));
                if flow != Flow::Next || !goes_on {
                    return flow;
                }
                self.run(right, context).await
            }
            Command::Sequence(commands) => {
                let last = commands.len().wrapping_sub(1);
                for (index, command) in commands.iter().enumerate() {
                    let context = if index == last { context } else { inner };
                    let flow = self.run(command, context).await;
                    if flow != Flow::Next {
                        return flow;
                    }
                }
                Flow::Next
            }
            Command::Background(body) => {
                self.start_background(body);
                self.status = 0;
                Flow::Next
            }
            Command::Redirected {
                body,
                redirections,
                line,
            } => self.redirected(body, redirections, *line, inner).await,
            Command::Subshell(body) => {
                let child = self.start_subshell(body, self.descriptors.clone(), context.is_tested);
                self.status = self.wait_for(&child).await;
                self.checked(Flow::Next, context)
            }
            Command::If(branches, otherwise) => {
                for (condition, body) in branches {
                    let flow = self.run(condition, tested).await;
                    if flow != Flow::Next {
                        return flow;
                    }
                    if self.status == 0 {
                        return self.run(body, context).await;
                    }
                }
                self.status = 0;
                match otherwise {
                    Some(body) => self.run(body, context).await,
                    None => Flow::Next,
                }
            }
            Command::Loop {
                is_until,
                condition,
                body,
            } => self.run_loop(*is_until, condition, body, inner).await,
            Command::For {
                name,
                words,
                body,
                line,
            } => {
                self.line = *line;
                self.run_for(name, words.as_deref(), body, inner).await
            }
            Command::Case { word, arms, line } => {
                self.line = *line;
                self.run_case(word, arms, context).await
            }
            Command::Function(name, body) => {
                Arc::make_mut(&mut self.functions).insert(name.clone(), Arc::clone(body));
                self.status = 0;
                Flow::Next
            }
            Command::Test(words, line) => {
                self.line = *line;
                let flow = match self.extended_test(words).await {
                    Ok(answer) => {
                        self.status = u8::from(!answer);
                        Flow::Next
                    }
                    Err(fault) => self.end(fault).await,
                };
                self.checked(flow, context)
            }
        }
    }

    /// Ends the shell where a failure counts.
    fn checked(&self, flow: Flow, context: Context) -> Flow {
        let fails = self.status != 0 && self.options.exits_on_error && !context.is_tested;
        match flow {
            Flow::Next if fails => Flow::Exit,
            flow => flow,
        }
    }

    async fn end(&mut self, fault: Fault) -> Flow {
        self.show(fault).await;
        Flow::Exit
    }

    async fn redirected(
        &mut self,
        body: &Command,
        redirections: &[Redirection],
        line: u32,
        context: Context,
    ) -> Flow {
        self.line = line;
        match self.redirect(redirections).await {
            Ok(saved) => {
                let flow = self.run(body, context).await;
                self.restore(saved);
                flow
            }
            Err(fault) => {
                self.show(fault).await;
                self.checked(Flow::Next, context)
            }
        }
    }

    // Loops.

    /// Says what a loop does with what its body leads to: `None` goes on.
    fn turn(flow: Flow) -> Option<Flow> {
        match flow {
            Flow::Next | Flow::Continue(1) => None,
            Flow::Break(1) => Some(Flow::Next),
            Flow::Break(levels) => Some(Flow::Break(levels - 1)),
            Flow::Continue(levels) => Some(Flow::Continue(levels - 1)),
            Flow::Return | Flow::Exit => Some(flow),
        }
    }

    async fn run_loop(
        &mut self,
        is_until: bool,
        condition: &Command,
        body: &Command,
        context: Context,
    ) -> Flow {
        let tested = Context {
            is_tested: true,
            is_last: false,
        };
        let mut status = 0;
        self.loops += 1;
        let flow = loop {
            // A loop that does nothing takes time, too, and can be ended.
            self.owed += STEP;
            self.settle().await;
            if let Some(flow) = Self::turn(self.run(condition, tested).await) {
                break flow;
            }
            if (self.status == 0) == is_until {
                self.status = status;
                break Flow::Next;
            }
            if let Some(flow) = Self::turn(self.run(body, context).await) {
                break flow;
            }
            status = self.status;
        };
        self.loops -= 1;
        flow
    }

    async fn run_for(
        &mut self,
        name: &str,
        words: Option<&[Word]>,
        body: &Command,
        context: Context,
    ) -> Flow {
        let values = match words {
            Some(words) => match self.expand_fields(words).await {
                Ok(values) => values,
                Err(fault) => return self.end(fault).await,
            },
            None => self.positional.clone(),
        };
        self.status = 0;
        self.loops += 1;
        let mut result = Flow::Next;
        for value in values {
            self.owed += STEP;
            self.settle().await;
            if let Err(fault) = self.set(name, &value) {
                result = self.end(fault).await;
                break;
            }
            if let Some(flow) = Self::turn(self.run(body, context).await) {
                result = flow;
                break;
            }
        }
        self.loops -= 1;
        result
    }

    async fn run_case(
        &mut self,
        word: &Word,
        arms: &[(Vec<Word>, Command)],
        context: Context,
    ) -> Flow {
        let text = match self.expand_text(word).await {
            Ok(text) => text,
            Err(fault) => return self.end(fault).await,
        };
        for (patterns, body) in arms {
            for pattern in patterns {
                let pattern = match self.expand_pattern(pattern).await {
                    Ok(pattern) => pattern,
                    Err(fault) => return self.end(fault).await,
                };
                if pattern.matches(&text) {
                    self.status = 0;
                    return self.run(body, context).await;
                }
            }
        }
        self.status = 0;
        Flow::Next
    }

    // Simple commands.

    async fn simple(&mut self, simple: &Simple, context: Context) -> Flow {
        self.line = simple.line;
        self.owed += STEP;
        self.substitution_status = None;
        let words = match self.expand_command(&simple.words).await {
            Ok(words) => words,
            Err(fault) => return self.end(fault).await,
        };
        let Some(first) = words.first() else {
            return self.assignments_only(simple).await;
        };
        self.is_tested = context.is_tested;
        let builtin = builtin::find(first, self.dialect);
        let function = match builtin {
            Some(builtin) if builtin.is_special => None,
            _ => self.functions.get(first).cloned(),
        };
        let is_special = function.is_none() && builtin.is_some_and(|builtin| builtin.is_special);
        let saved = match self.redirect(&simple.redirections).await {
            Ok(saved) => saved,
            Err(fault) => {
                self.show(fault).await;
                return if is_special { Flow::Exit } else { Flow::Next };
            }
        };
        let assigned = match self.assign(simple).await {
            Ok(assigned) => assigned,
            Err(fault) => {
                self.restore(saved);
                return self.end(fault).await;
            }
        };
        self.trace(simple, &assigned, &words).await;
        if is_special {
            let keeps = first == "exec" && words.len() == 1;
            let flow = self.special(builtin, words, assigned).await;
            if !keeps {
                self.restore(saved);
            }
            return flow;
        }
        let before = match function.is_some() || builtin.is_some() {
            true => self.set_for_a_while(&assigned),
            false => Ok(Vec::new()),
        };
        let before = match before {
            Ok(before) => before,
            Err(fault) => {
                self.restore(saved);
                return self.end(fault).await;
            }
        };
        let flow = match (function, builtin) {
            (Some(function), _) => self.call(&function, words, context.is_tested).await,
            (None, Some(builtin)) => self.run_builtin(builtin, words).await,
            (None, None) => self.external(words, assigned, context).await,
        };
        self.restore(saved);
        for (name, variable) in before.into_iter().rev() {
            self.put_back(name, variable);
        }
        flow
    }

    /// Expands the words of a command. What looks like an assignment and follows `export` and its
    /// like is not split.
    async fn expand_command(&mut self, words: &[Word]) -> Result<Vec<String>, Fault> {
        let declares = words
            .first()
            .and_then(Word::plain)
            .is_some_and(|first| matches!(first, "export" | "readonly" | "local" | "alias"));
        if !declares {
            return self.expand_fields(words).await;
        }
        let mut all = Vec::with_capacity(words.len());
        for word in words {
            match super::word::split_assignment(word, Dialect::Posix) {
                Some((name, value, _)) => {
                    let value = self.expand_text(&value).await?;
                    all.push(format!("{name}={value}"));
                }
                None => all.extend(self.expand_fields(std::slice::from_ref(word)).await?),
            }
        }
        Ok(all)
    }

    async fn assignments_only(&mut self, simple: &Simple) -> Flow {
        let saved = match self.redirect(&simple.redirections).await {
            Ok(saved) => saved,
            Err(fault) => {
                self.show(fault).await;
                return Flow::Next;
            }
        };
        self.restore(saved);
        let mut traced = Vec::new();
        for assignment in &simple.assignments {
            let value = match self.expand_text(&assignment.value).await {
                Ok(value) => value,
                Err(fault) => return self.end(fault).await,
            };
            let value = match assignment.appends {
                true => {
                    self.variable(&assignment.name)
                        .unwrap_or_default()
                        .to_owned()
                        + &value
                }
                false => value,
            };
            if let Err(fault) = self.set(&assignment.name, &value) {
                return self.end(fault).await;
            }
            traced.push((assignment.name.clone(), value));
        }
        self.trace(simple, &traced, &[]).await;
        self.status = self.substitution_status.unwrap_or(0);
        Flow::Next
    }

    async fn assign(&mut self, simple: &Simple) -> Result<Vec<(String, String)>, Fault> {
        let mut assigned = Vec::with_capacity(simple.assignments.len());
        for assignment in &simple.assignments {
            let value = self.expand_text(&assignment.value).await?;
            assigned.push((assignment.name.clone(), value));
        }
        Ok(assigned)
    }

    async fn trace(&mut self, simple: &Simple, assigned: &[(String, String)], words: &[String]) {
        if !self.options.traces || (simple.words.is_empty() && assigned.is_empty()) {
            return;
        }
        let prefix = self.variable("PS4").unwrap_or("+ ").to_owned();
        let assigned = assigned
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let all: Vec<String> = assigned.chain(words.iter().cloned()).collect();
        let line = format!("{prefix}{}\n", all.join(" "));
        self.print_to(2, line.as_bytes()).await;
    }

    /// Sets variables that are exported until they are put back.
    fn set_for_a_while(
        &mut self,
        assigned: &[(String, String)],
    ) -> Result<Vec<(String, Option<Variable>)>, Fault> {
        let mut before = Vec::new();
        for (name, value) in assigned {
            before.push((name.clone(), self.variables.get(name.as_str()).cloned()));
            self.set(name, value)?;
            self.change_variable(name, |variable| variable.is_exported = true);
        }
        Ok(before)
    }

    async fn special(
        &mut self,
        builtin: Option<&'static Builtin>,
        words: Vec<String>,
        assigned: Vec<(String, String)>,
    ) -> Flow {
        for (name, value) in &assigned {
            if let Err(fault) = self.set(name, value) {
                return self.end(fault).await;
            }
        }
        match builtin {
            Some(builtin) => self.run_builtin(builtin, words).await,
            None => Flow::Next,
        }
    }

    /// Runs a builtin.
    pub(super) async fn run_builtin(
        &mut self,
        builtin: &'static Builtin,
        words: Vec<String>,
    ) -> Flow {
        let outer = self.builtin.replace(builtin.name);
        let result = (builtin.run)(self, words).await;
        let flow = match result {
            Ok(flow) => flow,
            Err(fault) => {
                self.show(fault).await;
                match builtin.is_special && self.dialect == Dialect::Posix {
                    true => Flow::Exit,
                    false => Flow::Next,
                }
            }
        };
        self.builtin = outer;
        flow
    }

    /// Runs the body of a function; deep down on a stack of its own, so that recursion ends with an
    /// error and not with the end of ours.
    async fn run_function(&mut self, function: &Arc<Command>, context: Context) -> Flow {
        if self.calls >= MOST_CALLS {
            let text = format!("Maximum function recursion depth ({MOST_CALLS}) reached");
            let fault = self.fail(&text);
            return self.end(fault).await;
        }
        self.calls += 1;
        let flow = if self.depth < DEEP {
            self.run(function, context).await
        } else {
            let mut shell = self.clone();
            let function = Arc::clone(function);
            let depth = std::mem::take(&mut shell.depth);
            let mut task = AbortOnDrop(tokio::spawn(async move {
                let flow = shell.run(&function, context).await;
                (shell, flow)
            }));
            match (&mut task.0).await {
                Ok((shell, flow)) => {
                    *self = shell;
                    self.depth = depth;
                    flow
                }
                Err(_) => Flow::Exit,
            }
        };
        self.calls -= 1;
        flow
    }

    /// Calls a function.
    async fn call(&mut self, function: &Arc<Command>, words: Vec<String>, is_tested: bool) -> Flow {
        let arguments = words.into_iter().skip(1).collect();
        let positional = std::mem::replace(&mut self.positional, arguments);
        let loops = std::mem::take(&mut self.loops);
        let builtin = self.builtin.take();
        self.locals.push(std::collections::BTreeMap::new());
        let context = Context {
            is_tested,
            is_last: false,
        };
        let flow = self.run_function(function, context).await;
        for (name, variable) in self.locals.pop().unwrap_or_default() {
            self.put_back(name, variable);
        }
        self.builtin = builtin;
        self.loops = loops;
        self.positional = positional;
        match flow {
            Flow::Exit => Flow::Exit,
            Flow::Next | Flow::Return | Flow::Break(_) | Flow::Continue(_) => Flow::Next,
        }
    }

    /// Runs a program.
    async fn external(
        &mut self,
        words: Vec<String>,
        assigned: Vec<(String, String)>,
        context: Context,
    ) -> Flow {
        let path = match self.find_program(&words[0], &assigned).await {
            Some(path) => path,
            None => return Flow::Next,
        };
        let environment = self.environment(assigned);
        let launch = self.launch(path, words, environment);
        // Traps want the shell to be there.
        let has_traps = self.traps.values().any(|action| !action.is_empty());
        let is_last = context.is_last && !has_traps && self.locals.is_empty();
        if is_last && self.jobs.is_empty() {
            self.become_program(launch).await;
            return Flow::Exit;
        }
        let child = launch.start();
        self.status = self.wait_for(&child).await;
        Flow::Next
    }

    /// Looks for a program; where there is none, complains and sets the status.
    pub(super) async fn find_program(
        &mut self,
        name: &str,
        assigned: &[(String, String)],
    ) -> Option<String> {
        let given = assigned.iter().rev().find(|(name, _)| name == "PATH");
        let search = match given {
            Some((_, value)) => value.clone(),
            None => self.variable("PATH").unwrap_or(DEFAULT_PATH).to_owned(),
        };
        let found = find_executable(
            &self.fleet,
            self.host,
            name,
            Some(&search),
            &self.directory,
            &self.credentials,
        );
        match found {
            Ok(path) => Some(path),
            Err(127) if self.fleet.takes_for_done(self.host, self.session, name) => {
                self.status = 0;
                None
            }
            Err(status) => {
                let why = match (status, self.dialect) {
                    (126, _) => "Permission denied",
                    (_, Dialect::Posix) => "not found",
                    (_, Dialect::Bash) if name.contains('/') => "No such file or directory",
                    (_, Dialect::Bash) => "command not found",
                };
                self.complain(&format!("{name}: {why}")).await;
                self.status = status;
                None
            }
        }
    }

    /// Answers `[[ … ]]` of bash.
    async fn extended_test(&mut self, words: &[Word]) -> Result<bool, Fault> {
        let mut answer = true;
        let mut is_or = false;
        for (index, part) in words.split(|word| word.plain() == Some("&&")).enumerate() {
            if index > 0 && !answer {
                return Ok(false);
            }
            answer = false;
            for part in part.split(|word| word.plain() == Some("||")) {
                is_or |= answer;
                if !answer {
                    answer = self.simple_test(part).await?;
                }
            }
        }
        let has_both = is_or && words.iter().any(|word| word.plain() == Some("&&"));
        if has_both || words.iter().any(|word| word.plain() == Some("(")) {
            return Err(self.not_simulated("[[ … ]] with && and || or parentheses"));
        }
        Ok(answer)
    }

    async fn simple_test(&mut self, words: &[Word]) -> Result<bool, Fault> {
        if let [first, rest @ ..] = words
            && first.plain() == Some("!")
            && !rest.is_empty()
        {
            return Ok(!Box::pin(self.simple_test(rest)).await?);
        }
        if let [left, operator, right] = words
            && let Some(operator @ ("=" | "==" | "!=")) = operator.plain()
        {
            let left = self.expand_text(left).await?;
            let pattern = self.expand_pattern(right).await?;
            return Ok(pattern.matches(&left) == (operator != "!="));
        }
        let mut texts = Vec::with_capacity(words.len());
        for word in words {
            texts.push(self.expand_text(word).await?);
        }
        self.answer_test(&texts)
    }
}
