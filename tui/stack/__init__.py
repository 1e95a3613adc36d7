"""What a stack is: a compose project plus its layout. Pure: no I/O beyond files."""
