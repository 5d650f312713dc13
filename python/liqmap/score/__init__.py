"""What was right: predictions against realised liquidations, beside baselines and placebos."""
