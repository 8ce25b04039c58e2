"""Guards while a campaign runs: state machines of plain values, with time passed in."""
