"""From a channel to an answer: source → manager → loader → servable → router.

The source watches the channel and announces what is aspired; the manager reconciles; the loader
makes a servable of a version; the residents keep it in memory until nobody needs it; the router
hands the one in force to each request. Nothing here knows of HTTP.
"""
