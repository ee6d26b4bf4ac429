"""Load over a long time: does the service stay as it was, and does it end without cutting anybody off?"""
