"""The one adapter through which TRL, PEFT and transformers' trainer are used: nothing else in the package imports them.

`session` opens, watches and closes a run; `supervised` and `reinforced` each run one of TRL's trainers on token ids.
"""
