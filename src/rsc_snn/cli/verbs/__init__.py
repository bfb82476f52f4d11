"""One module per verb; its function ``command`` is the verb, its docstring the help."""
