//! Tests of the simulator itself; the driver suite holds it to the contract.
