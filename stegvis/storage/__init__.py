"""Where data lie: the landing zone of deliveries, the warehouse and the lake of epochs."""
