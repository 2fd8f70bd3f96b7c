"""Who speaks: turns, roles, voices told apart on one channel, what happens between the turns, how they are spoken."""
