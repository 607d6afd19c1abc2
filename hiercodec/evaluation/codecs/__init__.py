"""What photographs are coded with: our models cut anywhere, formats, files of formats cut, orders of our own symbols."""
