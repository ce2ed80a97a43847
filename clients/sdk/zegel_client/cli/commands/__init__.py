"""What each command does. A function of the command's name takes the `Call` and returns the `Answer`."""
