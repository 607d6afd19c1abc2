"""A vote of the hall: what is it, at three sizes of one file?"""
