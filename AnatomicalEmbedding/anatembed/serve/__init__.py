"""Ways in for people and programs: command line, tools for language models, pictures, files."""
