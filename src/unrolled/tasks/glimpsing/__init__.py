"""Pictures that are looked at in glimpses: what one can ask of the network, how it is measured, and a drawing of where it looked."""
