"""The one adapter through which TRL, PEFT and transformers' trainer are used: nothing else in the package imports them.

`session` opens, watches and closes a run; `supervised`, `preferred` and `reinforced` run TRL's trainers on token ids;
`rollouts` writes what is reinforced; `adapters` hands low-rank adapters from one run to the next.
"""
