"""Programs that real mutators would be.  Each is a file; `program.PROGRAMS` names them."""
