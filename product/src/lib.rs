//! Products composed of phases
