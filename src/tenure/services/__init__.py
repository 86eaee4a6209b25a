"""What Tenure does, one transaction each: the only holders of Store and Clock."""
