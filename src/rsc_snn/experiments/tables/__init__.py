"""The paper's tables and figures: a module each, whose ``lines`` asks for the cells that it needs."""
