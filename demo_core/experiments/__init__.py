"""What runs under variants tell: parts left out, curves over a setting, times, the released reading, PER's honesty."""
