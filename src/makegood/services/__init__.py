"""Use cases, one function each, one database transaction each: the only place that joins the other folders."""
