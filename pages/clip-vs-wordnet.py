"""An address of an earlier version, which leads on."""

from hiercodec.ui.frame import navigation

navigation.go_on("clip-vs-wordnet")
