//! How a unit is.

/// Whether a unit is active (`ActiveState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Active {
    /// It was never started, or was stopped.
    #[default]
    Inactive,
    /// It is being started.
    Activating,
    /// It is there.
    Active,
    /// It is being stopped.
    Deactivating,
    /// It ended badly.
    Failed,
}

impl Active {
    /// Returns the word of `ActiveState`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Activating => "activating",
            Self::Active => "active",
            Self::Deactivating => "deactivating",
            Self::Failed => "failed",
        }
    }
}

/// How a unit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// Whether it is active.
    pub active: Active,
    /// `SubState`.
    pub sub: &'static str,
    /// `Result`.
    pub result: &'static str,
    /// The main process; 0 without one.
    pub main_pid: u32,
    /// The status that its main process ended with.
    pub exit_status: u8,
    /// When its main process was started, in microseconds since the boot; 0 for never.
    pub started: u64,
    /// When it became what it is, in seconds since 1970.
    pub since: u64,
    /// How often it was started again by itself.
    pub restarts: u32,
    /// When it was started lately, in seconds since the start of the fleet: for the start limit.
    pub attempts: Vec<u64>,
}

impl Default for UnitState {
    fn default() -> Self {
        Self {
            active: Active::Inactive,
            sub: "dead",
            result: "success",
            main_pid: 0,
            exit_status: 0,
            started: 0,
            since: 0,
            restarts: 0,
            attempts: Vec::new(),
        }
    }
}

impl UnitState {
    /// Returns whether it is active.
    pub fn is_active(&self) -> bool {
        self.active == Active::Active
    }
}

impl UnitState {
    /// Forgets a failure and earlier starts (`reset-failed`).
    pub(crate) fn clear_failure(&mut self) {
        self.attempts.clear();
        self.restarts = 0;
        if self.active == Active::Failed {
            self.active = Active::Inactive;
            self.sub = "dead";
            self.result = "success";
        }
    }
}
