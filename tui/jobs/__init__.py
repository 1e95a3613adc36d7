"""Jobs: submit, follow, verdict, history; and scaling, which waits for what jobs still run."""
