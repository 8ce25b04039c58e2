"""PostgreSQL. SQL is visible here only; money moves only inside the functions of migrations/."""
