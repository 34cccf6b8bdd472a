"""The commands of the command line, by what they are about; heavy modules are imported when a command runs."""
