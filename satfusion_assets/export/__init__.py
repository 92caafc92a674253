"""Export: what is written for people and other programs: contract JSON, tables, LaTeX."""
