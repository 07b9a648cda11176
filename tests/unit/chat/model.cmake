# The naive model of the hub: for the unit tests here, and for fuzz/hub.
set(CHAT_MODEL
  hub_model.c
  hub_model_due.c
  hub_model_expect.c
  hub_model_rooms.c
  hub_model_sessions.c
  hub_model_state.c
  hub_model_users.c
  hub_script.c
  recorder.c)
list(TRANSFORM CHAT_MODEL PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
