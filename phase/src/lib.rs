//! The phase manager: phases, plans, meetings, events, limits, run lock
