"""One picture step by step: traces, their making, as files, in a story, and where one may stop."""
