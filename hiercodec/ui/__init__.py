"""What the pages share: state and URL keys, cached calls, the scrubber component, chrome. Nothing below imports it."""
